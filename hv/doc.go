// Package hv runs virtual machines: their life from start to stop, one loop
// per vCPU that serves the exits which need Go, and the machine that the
// guest sees (version "ringo-1").
//
// A VM knows its host only through Host, and its processor only through the
// contract in hv/vcpu, so that all of it builds and tests on plain Linux with
// the fake backend of hv/hvtest.
//
// What belongs where: hv/cpuid says what CPUID answers, hv/msr which
// model-specific registers exist, x86/insn emulates an instruction, devices
// holds the device models, boot puts a kernel into the guest's memory. This
// package joins them.
//
// Imports allowed: hv/vcpu and what is below it, hv/cpuid, hv/msr, x86/insn,
// memory, devices, boot, snapshot. Never nucleus, svm or vmx.
//
// Sources: Intel SDM volume 3A chapter 10 "Multiple-Processor Management"
// (INIT and start-up IPI), volume 3A chapter 6 "Interrupt and Exception
// Handling"; AMD APM volume 2 chapter 15 "Secure Virtual Machine".
package hv
