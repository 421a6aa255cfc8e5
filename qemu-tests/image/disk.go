package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"ringo/nucleus/reg"
)

// Registers of the first ATA channel (ATA/ATAPI-6, section 7 "Interface
// register definitions and descriptions").
const (
	ataData    = 0x1F0
	ataCount   = 0x1F2
	ataLBA0    = 0x1F3
	ataLBA1    = 0x1F4
	ataLBA2    = 0x1F5
	ataDevice  = 0x1F6
	ataCommand = 0x1F7 // status when read
	ataControl = 0x3F6

	ataSlaveLBA = 0xF0 // device 1, LBA bits 27:24 in the low half
	ataNoIRQ    = 1 << 1
	ataBusy     = 1 << 7
	ataRequest  = 1 << 3
	ataError    = 1 << 0

	ataReadMultiple  = 0xC4
	ataWriteMultiple = 0xC5
	ataSetMultiple   = 0xC6
	ataFlushCache    = 0xE7

	sectorBytes  = 512
	blockSectors = 16 // of READ MULTIPLE and WRITE MULTIPLE: what the emulators can do
	blockBytes   = blockSectors * sectorBytes
)

var errDisk = errors.New("disk")

// chunkBytes is what one command transfers: 256 sectors, the most there is. It
// spares the emulated disk's seeks.
const chunkBytes = 256 * sectorBytes

// disk is the second disk of the emulated machine: it carries what is too much
// for the serial line from one machine to the next. It has that from the second
// chunk on; the first one begins with the number of bytes.
type disk struct {
	buf   [chunkBytes]byte
	chunk uint32 // the next one to be transferred
}

// transfer moves one chunk between buf and the disk: command is a read or a
// write, and word moves the 4 bytes at p.
func (d *disk) transfer(command uint8, chunk uint32, word func(p []byte)) error {
	reg.Out8(ataControl, ataNoIRQ)
	lba := chunk * (chunkBytes / sectorBytes)
	reg.Out8(ataDevice, ataSlaveLBA|uint8(lba>>24&0xF))
	if err := ataWait(0); err != nil {
		return err
	}
	reg.Out8(ataCount, blockSectors)
	reg.Out8(ataCommand, ataSetMultiple)
	if err := ataWait(0); err != nil {
		return err
	}
	reg.Out8(ataCount, 0) // 256
	reg.Out8(ataLBA0, uint8(lba))
	reg.Out8(ataLBA1, uint8(lba>>8))
	reg.Out8(ataLBA2, uint8(lba>>16))
	reg.Out8(ataCommand, command)
	for at := 0; at < chunkBytes; at += blockBytes {
		if err := ataWait(ataRequest); err != nil {
			return fmt.Errorf("chunk %d: %w", chunk, err)
		}
		for i := at; i < at+blockBytes; i += 4 {
			word(d.buf[i : i+4])
		}
	}
	return nil
}

func (d *disk) write(chunk uint32) error {
	return d.transfer(ataWriteMultiple, chunk, func(p []byte) { reg.Out32(ataData, binary.LittleEndian.Uint32(p)) })
}

func (d *disk) read(chunk uint32) error {
	return d.transfer(ataReadMultiple, chunk, func(p []byte) { binary.LittleEndian.PutUint32(p, reg.In32(ataData)) })
}

// ataWait waits until the disk is not busy and has set the bits.
func ataWait(bits uint8) error {
	const patience = 10 * time.Second
	var start time.Time
	for {
		for range 1000 {
			switch s := reg.In8(ataCommand); {
			case s == 0xFF:
				return fmt.Errorf("%w: there is none", errDisk)
			case s&(ataBusy|ataError) == ataError:
				return fmt.Errorf("%w: status %#x", errDisk, s)
			case s&ataBusy == 0 && s&bits == bits:
				return nil
			}
		}
		if start.IsZero() {
			start = time.Now()
		}
		if time.Since(start) > patience {
			return fmt.Errorf("%w: status %#x for %v", errDisk, reg.In8(ataCommand), patience)
		}
	}
}

// diskWriter writes to the disk from its start.
type diskWriter struct {
	disk
	filled int // bytes in buf
	bytes  uint64
}

func newDiskWriter() *diskWriter { return &diskWriter{disk: disk{chunk: 1}} }

// Write implements io.Writer.
func (w *diskWriter) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		k := copy(w.buf[w.filled:], p)
		p, w.filled, n = p[k:], w.filled+k, n+k
		if w.filled < chunkBytes {
			break
		}
		if err := w.write(w.chunk); err != nil {
			return n, err
		}
		w.chunk, w.filled = w.chunk+1, 0
	}
	w.bytes += uint64(n)
	return n, nil
}

// Close writes what is left, and the number of bytes.
func (w *diskWriter) Close() error {
	clear(w.buf[w.filled:])
	err := w.write(w.chunk)
	clear(w.buf[:])
	binary.LittleEndian.PutUint64(w.buf[:], w.bytes)
	err = errors.Join(err, w.write(0), ataWait(0))
	reg.Out8(ataCommand, ataFlushCache)
	return errors.Join(err, ataWait(0))
}

// diskReader reads what a diskWriter has left.
type diskReader struct {
	disk
	rest []byte // of buf
	left uint64 // bytes that were not read into buf yet
}

func newDiskReader() (*diskReader, error) {
	r := &diskReader{disk: disk{chunk: 1}}
	if err := r.read(0); err != nil {
		return nil, err
	}
	r.left = binary.LittleEndian.Uint64(r.buf[:])
	return r, nil
}

// Read implements io.Reader.
func (r *diskReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.left == 0 {
			return 0, io.EOF
		}
		if err := r.read(r.chunk); err != nil {
			return 0, err
		}
		r.rest = r.buf[:min(r.left, chunkBytes)]
		r.left -= uint64(len(r.rest))
		r.chunk++
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
