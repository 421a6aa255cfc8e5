package hv

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"ringo/boot/layout"
	"ringo/hv/hvtest"
	"ringo/memory"
	"ringo/x86"
	"ringo/x86/asm"
)

// testHost is a Host over the fake backend, and what the tests see of it.
type testHost struct {
	Host
	fake  *hvtest.Fake
	arena *memory.Arena

	mu  sync.Mutex
	log []string
}

func newTestHost(t testing.TB) *testHost {
	arena, err := memory.NewArena(256 << 20)
	require.NoError(t, err)
	h := &testHost{arena: arena, fake: hvtest.NewFake(arena)}
	h.Host = Host{
		Backend: h.fake, Frames: arena, TSCHz: hvtest.FakeTSCHz, TSC: h.fake.TSC, CPUID: hostCPUID,
		Log: func(format string, args ...any) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.log = append(h.log, fmt.Sprintf(format, args...))
		},
	}
	return h
}

// logged tells whether a line of the node's log has the words.
func (h *testHost) logged(words string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Contains(strings.Join(h.log, "\n"), words)
}

// hostCPUID is a small AMD processor.
func hostCPUID(leaf, _ uint32) (a, b, c, d uint32) {
	switch leaf {
	case 0:
		return 0xD, 0x68747541, 0x444D4163, 0x69746E65
	case 1:
		return 0x800F12, 0x800, x86.CPUID1ECXSSE3, 0x0783FBFF
	case 0x80000000:
		return 0x80000008, 0x68747541, 0x444D4163, 0x69746E65
	case 0x80000001:
		return 0x800F12, 0, 0, 0x2C100800 | 0x0183F3FF
	case 0x80000008:
		return 0x3028, 0, 0, 0
	}
	return 0, 0, 0, 0
}

// kernel makes a Multiboot image whose 32-bit code runs at 1 MiB.
func kernel(t testing.TB, code func(*asm.Asm)) []byte {
	t.Helper()
	const base, magic, addresses, size = 0x100000, 0x1BADB002, 1 << 16, 32
	a := asm.New(asm.Bits32, base)
	flags := uint32(addresses)
	a.Data32(magic, flags, -(magic + flags), base, base, 0, 0, base+size)
	code(a)
	a.Label("halt")
	a.Cli()
	a.Hlt()
	a.Jmp("halt")
	p, err := a.Bytes()
	require.NoError(t, err)
	return p
}

// exit ends the guest by the debug-exit port with a code.
func exit(a *asm.Asm, code uint8) {
	a.Mov(asm.AL, asm.Imm(code))
	a.Out(asm.Imm(layout.DebugExitPort), asm.AL)
}

// print prints a text on the serial port.
func print(a *asm.Asm, text string) {
	a.Mov(asm.DX, asm.Imm(layout.COM1Port))
	for _, c := range []byte(text) {
		a.Mov(asm.AL, asm.Imm(c))
		a.Out(asm.DX, asm.AL)
	}
}

// testVM is a VM that runs code, with what the tests see of it.
type testVM struct {
	*VM
	host    *testHost
	stopped chan Reason

	mu  sync.Mutex
	out bytes.Buffer
}

func newTestVM(t testing.TB, change func(*Config), code func(*asm.Asm)) *testVM {
	t.Helper()
	h := newTestHost(t)
	v := &testVM{host: h, stopped: make(chan Reason, 10)}
	c := Config{
		Name: "test", Memory: 8 << 20, VCPUs: 1, Kernel: kernel(t, code), DebugExit: true,
		OnStop: func(_ *VM, r Reason) { v.stopped <- r },
	}
	if change != nil {
		change(&c)
	}
	vm, err := New(&h.Host, c)
	require.NoError(t, err)
	v.VM = vm
	vm.Console().SetOutput(func(p []byte) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.out.Write(p)
	})
	return v
}

// close gives everything back, and checks that nothing is left.
func (v *testVM) close(t testing.TB) {
	t.Helper()
	require.NoError(t, v.VM.Close())
	require.Zero(t, v.host.arena.InUse(), "bytes of frames in use after Close")
	require.NoError(t, v.host.arena.Close())
}

func (v *testVM) printed() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.out.String()
}

// wait gives the reason for which the VM stopped by itself.
func (v *testVM) wait(t testing.TB) Reason {
	t.Helper()
	select {
	case r := <-v.stopped:
		return r
	case <-time.After(10 * time.Second):
		t.Fatalf("the VM did not stop; it is %s; console %q; log %q", v.State(), v.printed(), v.host.log)
		return Reason{}
	}
}

// run starts a VM of that code and waits for its end.
func run(t *testing.T, code func(*asm.Asm)) (*testVM, Reason) {
	t.Helper()
	v := newTestVM(t, nil, code)
	require.NoError(t, v.Start())
	r := v.wait(t)
	t.Cleanup(func() { v.close(t) })
	return v, r
}

// takeAll takes every free frame and gives functions that free them again.
func (h *testHost) takeAll() (free []func()) {
	for _, size := range []memory.PageSize{memory.Page2M, memory.Page4K} {
		for {
			a, err := h.arena.Alloc(size)
			if err != nil {
				break
			}
			free = append(free, func() { h.arena.Free(a, size) })
		}
	}
	return free
}
