package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"ringo/qemu-tests/initramfs"
)

func main() {
	flag.Usage = usage
	out := flag.String("o", "", "folder to write to")
	flag.Parse()
	if *out == "" {
		fmt.Fprintln(os.Stderr, "mkdemo: -o DIR is missing")
		usage()
		os.Exit(2)
	}
	if err := run(*out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "mkdemo:", err)
		os.Exit(1)
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: mkdemo -o DIR [IMAGE...]\nimages (all if none is named):")
	for _, i := range initramfs.Images() {
		fmt.Fprintln(os.Stderr, "  ", i)
	}
}

// run builds the images named, or all, into the folder out.
func run(out string, names []string) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	images := initramfs.Images()
	if len(names) > 0 {
		images = nil
	}
	for _, name := range names {
		i, err := initramfs.Find(name)
		if err != nil {
			return err
		}
		images = append(images, i)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for _, i := range images {
		if err := build(i, root, filepath.Join(out, i.FileName())); err != nil {
			return err
		}
	}
	return nil
}

// build writes one image, whole or not at all.
func build(i initramfs.Image, root, name string) error {
	data, err := i.Build(context.Background(), root)
	if err != nil {
		return err
	}
	if err := os.WriteFile(name+".new", data, 0o644); err != nil {
		return err
	}
	if err := os.Rename(name+".new", name); err != nil {
		return err
	}
	fmt.Printf("%s: %d bytes\n", name, len(data))
	return nil
}
