package main

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"text/tabwriter"

	"ringo/api/bundle"
)

// bundleMake makes a bundle. It writes the file whole or not at all. The
// files are beside ringo.yaml, or in the folder that -files names.
func bundleMake(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("bundle make", flag.ContinueOnError)
	output := flags.String("o", "", "file to write")
	folder := flags.String("files", "", "folder of the files")
	rest, err := arguments(flags, args, 1)
	if err != nil {
		return err
	}
	if *output == "" {
		return fmt.Errorf("%w: -o FILE is missing", errUsage)
	}
	config := rest[0]
	if info, err := os.Stat(config); err == nil && info.IsDir() {
		config = filepath.Join(config, bundle.ConfigName)
	}
	text, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	if *folder == "" {
		*folder = filepath.Dir(config)
	}
	var archive bytes.Buffer
	err = bundle.Make(&archive, text, func(name string) ([]byte, error) {
		return os.ReadFile(filepath.Join(*folder, filepath.FromSlash(name)))
	})
	if err != nil {
		return fmt.Errorf("%s:\n%w", config, err)
	}
	if _, err := bundle.Parse(archive.Bytes()); err != nil {
		return fmt.Errorf("%s:\n%w", config, err)
	}
	if err := writeWhole(*output, archive.Bytes()); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %d bytes\n", *output, archive.Len())
	return nil
}

// writeWhole replaces a file by way of a temporary one beside it, so that
// nobody ever sees half a bundle.
func writeWhole(name string, data []byte) (err error) {
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
	err = cmp.Or(err, f.Chmod(0o644), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// readBundle parses the one bundle that the arguments name.
func readBundle(name string, args []string) (string, *bundle.Bundle, error) {
	rest, err := arguments(flag.NewFlagSet(name, flag.ContinueOnError), args, 1)
	if err != nil {
		return "", nil, err
	}
	data, err := os.ReadFile(rest[0])
	if err != nil {
		return "", nil, err
	}
	b, err := bundle.Parse(data)
	if err != nil {
		return "", nil, fmt.Errorf("%s:\n%w", rest[0], err)
	}
	return rest[0], b, nil
}

func bundleCheck(args []string, out io.Writer) error {
	name, b, err := readBundle("bundle check", args)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: sound; node %s, %d VMs, %s of memory for those that start by themselves\n",
		name, b.Node.Name, len(b.VMs), bundle.FormatSize(b.MemoryNeeded()))
	return nil
}

func bundleList(args []string, out io.Writer) error {
	_, b, err := readBundle("bundle list", args)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "VM\tMACHINE\tMEMORY\tVCPUS\tSTART\tKERNEL\tINITRD")
	for _, v := range b.VMs {
		start := "no"
		if v.Autostart {
			start = strconv.Itoa(v.StartOrder)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\t%s\n", v.Name, v.Machine,
			bundle.FormatSize(v.Memory), v.VCPUs, start, v.Kernel, cmp.Or(v.Initrd, "-"))
	}
	fmt.Fprintln(w, "\nFILE\tBYTES")
	for _, f := range b.Files() {
		fmt.Fprintf(w, "%s\t%d\n", f.Name, len(f.Data))
	}
	return w.Flush()
}
