package apic_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/hv/vcpu/apic/apictest"
)

// has lists the vCPUs that have vector pending.
func has(vm *apictest.VM, vector uint8) (cpus []int) {
	for i, a := range vm.CPU {
		if v, ok := apic.Pending(a); ok && v == vector {
			cpus = append(cpus, i)
		}
	}
	return cpus
}

func send(t *testing.T, vm *apictest.VM, from int, icr uint64) {
	t.Helper()
	a := vm.CPU[from]
	if !apic.X2APIC(a) {
		require.Zero(t, apic.Write(a, vcpu.APICICRHigh, icr>>32, 0))
	}
	require.Equal(t, apic.ActionIPI, apic.Write(a, vcpu.APICICR, icr, 0))
	apic.Send(vm.Shared, a, apic.ICR(a), vm.Wake)
}

func TestDestinations(t *testing.T) {
	const (
		logical = 1 << 11
		self    = 1 << 18
		all     = 2 << 18
		others  = 3 << 18
	)
	flat := func(a *vcpu.Area) { apic.Write(a, vcpu.APICLDR, 1<<24<<a.ID, 0) }
	cluster := func(a *vcpu.Area) {
		apic.Write(a, vcpu.APICDFR, 0, 0)
		apic.Write(a, vcpu.APICLDR, uint64(a.ID/2+1)<<28|1<<24<<(a.ID%2), 0)
	}
	cases := []struct {
		name  string
		x2    bool
		setup func(*vcpu.Area)
		icr   uint64
		want  []int
	}{
		{"physical", false, nil, 2 << 56, []int{2}},
		{"physical nobody", false, nil, 9 << 56, nil},
		{"physical broadcast", false, nil, 0xFF << 56, []int{0, 1, 2, 3}},
		{"self", false, nil, self, []int{1}},
		{"all", false, nil, all, []int{0, 1, 2, 3}},
		{"all but self", false, nil, others, []int{0, 2, 3}},
		{"flat", false, flat, 0b1101<<56 | logical, []int{0, 2, 3}},
		{"flat nobody", false, flat, 0b10000<<56 | logical, nil},
		{"cluster", false, cluster, 0x23<<56 | logical, []int{2, 3}},
		{"cluster one", false, cluster, 0x12<<56 | logical, []int{1}},
		{"cluster broadcast", false, cluster, 0xF1<<56 | logical, []int{0, 2}},
		{"x2 physical", true, nil, 3 << 32, []int{3}},
		{"x2 physical FF is an ID", true, nil, 0xFF << 32, nil},
		{"x2 broadcast", true, nil, 0xFFFFFFFF << 32, []int{0, 1, 2, 3}},
		{"x2 logical", true, nil, 0b0110<<32 | logical, []int{1, 2}},
		{"x2 logical other cluster", true, nil, 0x1_000F<<32 | logical, nil},
		{"x2 logical broadcast", true, nil, 0xFFFFFFFF<<32 | logical, []int{0, 1, 2, 3}},
		{"x2 self", true, nil, self, []int{1}},
		{"x2 all but self", true, nil, others, []int{0, 2, 3}},
		{"lowest priority", true, nil, 0xFFFFFFFF<<32 | 1<<8, []int{0x5A % 4}},
		{"lowest priority of two", false, flat, 0b1010<<56 | logical | 1<<8, []int{1}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			vm := newVM(t, 4, c.x2)
			for _, a := range vm.CPU {
				if c.setup != nil {
					c.setup(a)
				}
			}
			send(t, vm, 1, c.icr|0x5A)
			require.Equal(t, c.want, has(vm, 0x5A))
			woken := []int(nil)
			for i, n := range vm.Woken {
				if n > 0 {
					woken = append(woken, i)
				}
			}
			want := []int(nil)
			for _, i := range c.want {
				if i != 1 {
					want = append(want, i)
				}
			}
			require.Equal(t, want, woken, "all but the sender are woken")
		})
	}
}

func TestX2APICClusters(t *testing.T) {
	vm := newVM(t, 40, true)
	require.Equal(t, uint64(2<<16|1<<3), read(t, vm.CPU[35], vcpu.APICLDR))
	send(t, vm, 0, (2<<16|0b11)<<32|1<<11|0x44)
	require.Equal(t, []int{32, 33}, has(vm, 0x44))
}

func TestStartUp(t *testing.T) {
	vm := newVM(t, 2, false)
	send(t, vm, 0, 1<<56|5<<8|1<<14|1<<15)
	require.Equal(t, uint32(vcpu.RequestINIT), vm.CPU[1].Request.Load())
	vm.CPU[1].Request.Store(0)
	send(t, vm, 0, 1<<56|5<<8|1<<15)
	require.Zero(t, vm.CPU[1].Request.Load(), "INIT level de-assert")
	send(t, vm, 0, 1<<56|6<<8|0x9A)
	require.Equal(t, uint32(vcpu.RequestSIPI), vm.CPU[1].Request.Load())
	require.Equal(t, uint32(0x9A), vm.CPU[1].SIPI.Load())
	send(t, vm, 0, 1<<56|4<<8)
	require.Equal(t, uint32(vcpu.RequestSIPI|vcpu.RequestNMI), vm.CPU[1].Request.Load())
	require.Equal(t, []int{0, 3}, vm.Woken)
	apic.Init(vm.CPU[1])
	require.NotZero(t, vm.CPU[1].Request.Load(), "INIT keeps requests")
	require.Equal(t, uint64(0xFF), read(t, vm.CPU[1], vcpu.APICSVR))
}

func TestInitKeepsX2APIC(t *testing.T) {
	vm := newVM(t, 20, true)
	a := vm.CPU[17]
	apic.Init(a)
	require.True(t, apic.X2APIC(a))
	require.Equal(t, uint64(17), read(t, a, vcpu.APICID))
	require.Equal(t, uint64(1<<16|1<<1), read(t, a, vcpu.APICLDR))
}

func TestIllegalVectors(t *testing.T) {
	vm := newVM(t, 2, true)
	esr := func(i int) uint64 {
		apic.Write(vm.CPU[i], vcpu.APICESR, 0, 0)
		return read(t, vm.CPU[i], vcpu.APICESR)
	}
	send(t, vm, 0, 1<<32|0x0F)
	require.Equal(t, uint64(1<<5), esr(0), "send illegal vector")
	require.Zero(t, esr(1))
	require.Equal(t, apic.ActionLook, apic.Write(vm.CPU[0], vcpu.APICSelfIPI, 3, 0))
	require.Equal(t, uint64(1<<5), esr(0))
	apic.Deliver(vm.Shared, apic.Message{Dest: 1, Vector: 2}, vm.Wake)
	require.Equal(t, uint64(1<<6), esr(1), "receive illegal vector")
	require.Empty(t, has(vm, 0x0F))
}

func TestSelfIPI(t *testing.T) {
	vm := newVM(t, 2, true)
	require.Equal(t, apic.ActionLook, apic.Write(vm.CPU[1], vcpu.APICSelfIPI, 0x99, 0))
	require.Equal(t, []int{1}, has(vm, 0x99))
}

func TestMSI(t *testing.T) {
	require.Equal(t, apic.Message{Dest: 5, Vector: 0x31}, apic.MSI(0xFEE05000, 0x31))
	require.Equal(t, apic.Message{Dest: apic.Broadcast, Vector: 0x31, Mode: apic.DeliveryNMI, Level: true}, apic.MSI(0xFEEFF000, 0x8431))
	require.Equal(t, apic.Message{Dest: 0xFF, Logical: true, Vector: 0x31, Mode: 1}, apic.MSI(0xFEEFF00C, 0x131))
	require.Equal(t, apic.Message{Dest: 0x103, Vector: 0x31}, apic.MSI(0xFEE03020, 0x31), "extended destination")
	require.Equal(t, apic.Message{Dest: 3, Vector: 0x41, Level: true}, apic.IOAPIC(3<<56|1<<15|0x41))
}

// FuzzRegisters makes random register accesses, messages and time steps on two
// vCPUs and checks what must always hold.
func FuzzRegisters(f *testing.F) {
	f.Add([]byte{0x80, 0x30, 0x41, 0, 0x0C, 0, 0, 0, 0, 0})
	f.Add([]byte{0x81, 0x38, 1, 0, 0, 0, 0, 0, 0, 0, 0xC0, 9})
	f.Fuzz(func(t *testing.T, data []byte) {
		vm := newVM(t, 2, len(data)%2 == 0)
		now := uint64(1)
		for len(data) >= 10 {
			op, r := data[0], uint32(data[1])
			v := uint64(0)
			for i, b := range data[2:10] {
				v |= uint64(b) << (8 * i)
			}
			data = data[10:]
			a := vm.CPU[op&1]
			switch op >> 5 {
			case 0, 1:
				apic.Read(a, r, now)
			case 2, 3, 4:
				if act := apic.Write(a, r, v, now); act&apic.ActionIPI != 0 {
					apic.Send(vm.Shared, a, apic.ICR(a), vm.Wake)
				}
			case 5:
				apic.Deliver(vm.Shared, apic.MSI(v, r), vm.Wake)
			case 6:
				now += v >> (r & 63)
				apic.TimerDue(a, now)
				apic.WriteDeadline(a, v, now)
			case 7:
				apic.WriteBase(a, v, now)
			}
			if vec, ok := apic.Pending(a); ok {
				require.GreaterOrEqual(t, vec, uint8(16))
				apic.Accept(a, vec)
			}
		}
	})
}

func TestConcurrentDelivery(t *testing.T) {
	vm := newVM(t, 2, true)
	to := vm.CPU[1]
	const rounds = 20000
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range rounds {
			apic.Deliver(vm.Shared, apic.Message{Dest: 1, Vector: uint8(0x20 + i%64)}, func(*vcpu.Area) {})
		}
	}()
	taken := 0
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		for {
			v, ok := apic.Pending(to)
			if !ok {
				break
			}
			apic.Accept(to, v)
			apic.EOI(to)
			taken++
		}
	}
	require.Positive(t, taken)
	for i := vcpu.APICIRR; i < vcpu.APICIRR+8; i++ {
		require.Zero(t, *to.APIC.Reg(uint32(i)), "nothing is left behind")
	}
}

func TestLogicalIDMatchesItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.Uint32Range(0, 255).Draw(t, "id")
		l := apic.LogicalID(id)
		require.Equal(t, id>>4, l>>16)
		require.Equal(t, uint32(1)<<(id&15), l&0xFFFF)
	})
}
