# Ringo's build. "make" alone prints the targets; docs/testing.md says more.
# What is built and fetched goes to build/.

.DEFAULT_GOAL := help
.PHONY: help run run-qemu run-bochs test bench soak image iso test-image guests lint install clean
.DELETE_ON_ERROR:

# Set by scripts/install.sh where the machine's own Go is too old.
export PATH := $(CURDIR)/build/toolchain/bin:$(PATH)
export GOTOOLCHAIN := local
export CGO_ENABLED := 0

# EPYC without what QEMU's emulation lacks, so that it does not warn of it.
CPU := EPYC,-rdseed,-sha-ni,-fxsr-opt,-misalignsse,-3dnowprefetch,-osvw,-topoext,-nrip-save,-xsavec
QEMU := qemu-system-x86_64 -accel tcg,thread=multi -cpu $(CPU) -smp 2 -m 2G -nic none -no-reboot
LINK := -ldflags "-E ringo/nucleus.entry"
EMULATOR := qemu
OPTIONS :=
SOAK := 10m
ARGS :=

CACHE := build/cache
INITRAMFS := $(wildcard qemu-tests/initramfs/*.go qemu-tests/initramfs/commands/go.* cmd/mkdemo/*.go)

help: ## print this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: run-$(EMULATOR) ## boot Ringo with the demonstration guest on this terminal; EMULATOR=bochs: VT-x

run-qemu: install image build/demo.bundle
	@echo "To end the emulator: Ctrl-A, then x. From the guest to Ringo's console: Ctrl-]."
	$(QEMU) -display none -serial mon:stdio -kernel build/ringo -initrd build/demo.bundle -append "$(OPTIONS)"

run-bochs: install image build/demo.bundle
	@echo "Bochs is slow: Ringo comes up in about a minute. To end it: Ctrl-A, then x."
	go run ./qemu-tests/terminal -options "$(OPTIONS)" -bundle build/demo.bundle

test: install lint image test-image guests ## check everything: lint, unit tests, guests in emulators
	RINGO_REQUIRE_QEMU=1 go test -timeout 60m ./...

bench: install image guests ## measure exits, boot and memory; EMULATOR=bochs: on VT-x; ARGS=--json or --quick
	go run ./qemu-tests/bench --emulator $(EMULATOR) $(ARGS)

soak: install image test-image guests ## repeat the stress tests with new seeds for SOAK=10m
	RINGO_REQUIRE_QEMU=1 RINGO_SOAK=$(SOAK) go test -timeout 0 -count 1 -v -run TestSoak ./qemu-tests

image: ## build build/ringo
	go build -trimpath $(LINK) -o build/ringo.elf ./cmd/ringo
	go run ./cmd/mkimage -o build/ringo build/ringo.elf

iso: install image build/demo.bundle ## build build/ringo.iso, a CD for PCs with a BIOS, with the demonstration
	scripts/iso.sh build/ringo.iso build/ringo "$(OPTIONS)" build/demo.bundle

test-image: # the nucleus with stress tests in the place of the hypervisor
	go build -trimpath $(LINK) -o build/ringo-test.elf ./qemu-tests/image
	go run ./cmd/mkimage -o build/ringo-test build/ringo-test.elf

guests: $(CACHE)/initramfs-demo.cpio $(CACHE)/initramfs-test.cpio ## build what the guests boot

lint: ## gofmt, go vet, staticcheck
	@files=$$(gofmt -l .); [ -z "$$files" ] || { echo "not formatted by gofmt:" $$files; exit 1; }
	go vet -unsafeptr=false -framepointer=false ./... # the nucleus makes pointers and owns RBP
	build/bin/staticcheck ./...

install: ## install what building and testing needs (Debian packages, Go, kernels)
	@scripts/install.sh

clean: ## remove what was built; kernels and tools stay (rm -r build removes all)
	rm -rf build/ringo build/ringo-test build/*.elf build/*.bundle build/*.iso build/qemu-tests $(CACHE)/initramfs-* $(CACHE)/firmware

$(CACHE)/initramfs-demo.cpio: $(INITRAMFS)
	go run ./cmd/mkdemo -o $(CACHE) demo

$(CACHE)/initramfs-test.cpio: $(INITRAMFS) $(wildcard qemu-tests/testinit/*.go x86/asm/*.go)
	go run ./cmd/mkdemo -o $(CACHE) test bench

build/demo.bundle: demo/ringo.yaml $(CACHE)/initramfs-demo.cpio
	go run ./cmd/ringoctl bundle make -o $@ -files $(CACHE) demo
