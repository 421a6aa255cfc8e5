// Package x86 holds the architectural constants and register state of a
// 64-bit x86 processor as the Intel SDM and the AMD APM define them, under
// the manuals' own names. It imports nothing and knows no vendor's
// virtualization structures.
//
// Sources: Intel SDM volume 3A chapter 2 "System Architecture Overview",
// volume 4 "Model-Specific Registers"; AMD APM volume 2 chapters 3
// "System Resources" and 4 "Segmented Virtual Memory".
package x86
