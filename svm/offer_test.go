package svm

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ringo/hv/vcpu"
	"ringo/hv/vcpu/apic"
	"ringo/x86"
)

// offerRig is a vCPU in 64-bit mode with IF set whose interrupts are offered.
func offerRig(t *testing.T) *rig {
	r := newRig(t, 0)
	r.c.features |= featureOffer
	r.long(0x1000)
	r.enableAPIC(t)
	r.c.vmcb.Save.RFLAGS = flagsIF
	return r
}

// offered demands that the entry offers vector and injects nothing.
func (r *rig) offered(t *testing.T, vector uint64) {
	t.Helper()
	r.entered(t)
	ctl := &r.c.vmcb.Control
	require.Zero(t, ctl.EventInj)
	require.EqualValues(t, windowBits|vector<<VINTRVecShift, ctl.VIntr&(windowBits|VINTRVectorMask))
	require.Zero(t, ctl.InterceptMisc1&InterceptVINTR, "it is to be taken")
	require.EqualValues(t, InterceptCR8Write, ctl.InterceptCRWrite)
}

// took is the guest that has taken what was offered.
func took(c *ControlArea) { c.VIntr &^= VIRQ }

func inService(r *rig, vector uint8) bool {
	return *r.c.area.APIC.Reg(vcpu.APICISR + uint32(vector>>5))>>(vector&31)&1 != 0
}

func TestOfferTaken(t *testing.T) {
	r := offerRig(t)
	apic.SetIRR(&r.c.area, 0x41, false)
	r.offered(t, 0x41)
	r.left(ExitINTR, took)
	require.True(t, inService(r, 0x41))
	r.entered(t)
	require.Zero(t, injected(r))
	require.Zero(t, r.c.vmcb.Control.VIntr&windowBits)
	require.Zero(t, r.c.vmcb.Control.InterceptCRWrite)
}

// TestOfferNotTaken: the host's interrupt comes first. A higher vector that
// has come meanwhile is offered before the other one.
func TestOfferNotTaken(t *testing.T) {
	r := offerRig(t)
	apic.SetIRR(&r.c.area, 0x41, false)
	r.offered(t, 0x41)
	r.left(ExitINTR, nil)
	require.False(t, inService(r, 0x41))
	apic.SetIRR(&r.c.area, 0x91, false)
	r.offered(t, 0x91)
	r.left(ExitINTR, took)
	require.True(t, inService(r, 0x91))
	r.entered(t)
	require.Zero(t, r.c.vmcb.Control.VIntr&VIRQ, "the other one's class is below")
	require.Zero(t, apic.EOI(&r.c.area)&apic.ActionEOI)
	r.left(ExitINTR, nil)
	r.offered(t, 0x41)
}

// TestOfferClosed: an interrupt that was not taken waits until IF is set.
func TestOfferClosed(t *testing.T) {
	r := offerRig(t)
	apic.SetIRR(&r.c.area, 0x41, false)
	r.offered(t, 0x41)
	r.left(ExitINTR, nil)
	r.c.vmcb.Save.RFLAGS = x86.FlagReserved1
	r.entered(t)
	require.Zero(t, injected(r))
	require.NotZero(t, r.c.vmcb.Control.InterceptMisc1&InterceptVINTR, "a window")
}

// TestOfferCutShort: a fault of the stack ends the delivery; QEMU calls the
// interrupt an exception then.
func TestOfferCutShort(t *testing.T) {
	r := offerRig(t)
	apic.SetIRR(&r.c.area, 0x41, false)
	r.offered(t, 0x41)
	_, stop := r.left(ExitNPF, func(c *ControlArea) { c.ExitIntInfo = 0x41 | EventTypeExcept | EventV })
	require.True(t, stop)
	require.EqualValues(t, 0x41|EventV, r.c.event)
	require.True(t, inService(r, 0x41))
	r.offered(t, 0x41)
	r.left(ExitINTR, took)
	require.Zero(t, r.c.event)
}

// TestOfferThenException: the guest took the interrupt, and the delivery of an
// exception of its own was cut short.
func TestOfferThenException(t *testing.T) {
	fault := exceptionEvent(x86.VectorPF, true, 2)
	r := offerRig(t)
	apic.SetIRR(&r.c.area, 0x41, false)
	r.offered(t, 0x41)
	r.left(ExitNPF, func(c *ControlArea) { took(c); c.ExitIntInfo = fault })
	require.True(t, inService(r, 0x41))
	r.entered(t)
	require.Equal(t, fault, injected(r))
}

// TestOfferFromGo: an interrupt of the PIC is not the APIC's to take back.
func TestOfferFromGo(t *testing.T) {
	r := offerRig(t)
	r.c.event, r.c.busy = 0x08|EventTypeINTR|EventV, 1
	r.offered(t, 0x08)
	r.left(ExitINTR, nil)
	require.Zero(t, *r.c.area.APIC.Reg(vcpu.APICIRR))
	r.offered(t, 0x08)
	r.left(ExitINTR, took)
	require.Zero(t, r.c.event)
}

// TestOfferBesideWindow: where V_IRQ serves as a window for another interrupt,
// the event goes in as an injected one.
func TestOfferBesideWindow(t *testing.T) {
	r := offerRig(t)
	r.c.event, r.c.busy = 0x08|EventTypeINTR|EventV, 1
	apic.SetIRR(&r.c.area, 0x41, false)
	r.entered(t)
	require.EqualValues(t, 0x08|EventV, injected(r))
	require.NotZero(t, r.c.vmcb.Control.InterceptMisc1&InterceptVINTR)
	require.Zero(t, r.c.offered)
}

// TestExceptionsAreInjected: only external interrupts are offered.
func TestExceptionsAreInjected(t *testing.T) {
	r := offerRig(t)
	r.c.raise(x86.VectorGP, true, 0)
	r.entered(t)
	require.Equal(t, exceptionEvent(x86.VectorGP, true, 0), injected(r))
}
