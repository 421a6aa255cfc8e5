package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"ringo/boot/entry"
)

func main() {
	out := flag.String("o", "", "`file` to write (required)")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: mkimage -o IMAGE ELF")
		flag.PrintDefaults()
	}
	flag.Parse()
	if *out == "" || flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := makeImage(*out, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "mkimage:", err)
		os.Exit(1)
	}
}

// makeImage writes the bootable file for the ELF file named in.
func makeImage(out, in string) error {
	f, err := os.Open(in)
	if err != nil {
		return err
	}
	defer f.Close()
	payload, err := readPayload(f)
	if err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	image, err := entry.Image(payload)
	if err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	return writeFile(out, image)
}

// writeFile replaces the file at once: a reader sees the old one or the new
// one, and a failure leaves the old one.
func writeFile(name string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
