#!/bin/sh
# Installs what building, running and testing Ringo needs, on Debian 12:
#
#   packages     Debian packages, by apt-get (needs root or sudo)
#   go           a Go toolchain as new as go.mod asks, if the machine's is not
#   kernels      Debian's two kernels, as guests, into build/cache
#   staticcheck  the linter, into build/bin
#
# usage: scripts/install.sh [STEP...]      without a STEP: all of them
#
# It may be called any number of times, does only what is missing, says what
# it does, and stops at the first thing that fails. Everything but the Debian
# packages stays below build/ and in Go's module cache.
set -eu

cd "$(dirname "$0")/.."
ROOT=$(pwd)

# The second line: CD images that boot by GRUB, and the emulator with VT-x.
PACKAGES="qemu-system-x86 make git cpio ca-certificates
	grub-pc-bin grub-common xorriso mtools bochs bochs-term bochsbios vgabios"
TOOLCHAIN=go1.26.8
STATICCHECK=v0.8.2

say() { echo "install: $*"; }
die() { echo "install: error: $*" >&2; exit 1; }

# as_root runs a command as root, or says why it cannot.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		say "needs root: sudo $*"
		sudo "$@"
	else
		die "this needs root and there is no sudo; run as root: $*"
	fi
}

is_installed() {
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# install_debian installs those of the packages that are missing.
install_debian() {
	missing=
	for p in "$@"; do
		is_installed "$p" || missing="$missing $p"
	done
	[ -n "$missing" ] || return 0
	say "installing the Debian packages:$missing"
	as_root apt-get update -q
	# shellcheck disable=SC2086 # the list is meant to be split
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
}

is_debian() { command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; }

step_packages() {
	if is_debian; then
		install_debian $PACKAGES
		return
	fi
	for tool in qemu-system-x86_64 make git cpio grub-mkrescue xorriso bochs-bin; do
		command -v "$tool" >/dev/null ||
			die "this is not Debian and $tool is missing; install it, or use Debian 12 with: $PACKAGES"
	done
}

# is_newer says whether version $1 is at least version $2.
is_newer() {
	[ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]
}

# go_version prints the version of a go command without letting it fetch
# another one; "0" if there is none.
go_version() {
	v=$(GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null) || v=
	echo "${v:-go0}" | sed 's/^go//; s/[^0-9.].*//'
}

step_go() {
	want=$(sed -n 's/^go //p' go.mod)
	if [ -x build/toolchain/bin/go ] && is_newer "$(go_version build/toolchain/bin/go)" "$want"; then
		return
	fi
	if is_newer "$(go_version go)" "$want"; then
		return
	fi
	is_newer "${TOOLCHAIN#go}" "$want" ||
		die "go.mod asks for Go $want but this script fetches only $TOOLCHAIN; raise TOOLCHAIN in scripts/install.sh"
	fetch_go
}

# fetch_go gets the toolchain as a module: any older go can do that, through
# the same module proxy as for all other modules.
fetch_go() {
	if ! command -v go >/dev/null; then
		is_debian || die "there is no Go here; install Go $want or later"
		install_debian golang-go
	fi
	arch=$(dpkg --print-architecture 2>/dev/null || echo amd64)
	module=golang.org/toolchain@v0.0.1-$TOOLCHAIN.linux-$arch
	say "the go here is $(go_version go), go.mod asks for $want: fetching $module into the module cache"
	# Not in this tree: an old go cannot read its go.mod.
	tmp=$(mktemp -d)
	json=$(cd "$tmp" && GOTOOLCHAIN=local GOFLAGS= go mod download -json "$module") || {
		echo "$json" >&2
		rmdir "$tmp"
		die "could not fetch $module; is the module proxy in GOPROXY ($(go env GOPROXY)) reachable?"
	}
	rmdir "$tmp"
	dir=$(echo "$json" | sed -n 's/^[[:space:]]*"Dir": "\(.*\)",*$/\1/p')
	[ -x "$dir" ] || die "go mod download gave no folder for $module: $json"
	# Modules hold no executable bits.
	chmod +x "$dir"/bin/* "$dir"/pkg/tool/*/*
	mkdir -p build
	ln -sfn "$dir" build/toolchain
	is_newer "$(go_version build/toolchain/bin/go)" "$want" || die "$dir/bin/go does not run"
	say "Go $(go_version build/toolchain/bin/go) is in build/toolchain/bin; make uses it from there"
}

# fetch_kernel unpacks the kernel that a meta-package names: $1 is the
# meta-package, $2 the name in build/cache. It installs nothing.
fetch_kernel() {
	package=$(apt-cache depends "$1" 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
	if [ -z "$package" ]; then
		as_root apt-get update -q
		package=$(apt-cache depends "$1" | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
	fi
	[ -n "$package" ] || die "apt knows no kernel behind $1; is this Debian 12 for amd64?"
	say "fetching the guest kernel $package (it is unpacked, not installed)"
	tmp=$(mktemp -d "$ROOT/build/cache/kernel.XXXXXX")
	if ! (cd "$tmp" && apt-get -q -o APT::Sandbox::User=root download "$package"); then
		# A list that is older than the archive names packages that are gone.
		as_root apt-get update -q
		(cd "$tmp" && apt-get -q -o APT::Sandbox::User=root download "$package") || {
			rm -r "$tmp"
			die "could not download $package"
		}
	fi
	dpkg -x "$tmp"/*.deb "$tmp/unpacked"
	cp "$tmp"/unpacked/boot/vmlinuz-* "build/cache/$2.new"
	echo "$2 $package $(dpkg-deb -f "$tmp"/*.deb Version)" >"build/cache/$2.version"
	mv "build/cache/$2.new" "build/cache/$2"
	rm -r "$tmp"
}

step_kernels() {
	mkdir -p build/cache
	fetched=no
	for k in cloud:linux-image-cloud-amd64 generic:linux-image-amd64; do
		[ -s "build/cache/vmlinuz-${k%%:*}" ] && [ -s "build/cache/vmlinuz-${k%%:*}.version" ] && continue
		is_debian || die "this is not Debian; put a kernel into build/cache/vmlinuz-${k%%:*} and its version into build/cache/vmlinuz-${k%%:*}.version"
		fetch_kernel "${k#*:}" "vmlinuz-${k%%:*}"
		fetched=yes
	done
	if [ $fetched = yes ] || [ ! -s build/cache/VERSION ]; then
		cat build/cache/vmlinuz-*.version >build/cache/VERSION
	fi
}

step_staticcheck() {
	if [ -x build/bin/staticcheck ] && [ "$(cat build/bin/staticcheck.version 2>/dev/null)" = "$STATICCHECK" ]; then
		return
	fi
	say "building staticcheck $STATICCHECK into build/bin"
	mkdir -p build/bin
	PATH="$ROOT/build/toolchain/bin:$PATH" GOBIN="$ROOT/build/bin" \
		go install "honnef.co/go/tools/cmd/staticcheck@$STATICCHECK"
	echo "$STATICCHECK" >build/bin/staticcheck.version
}

[ $# -gt 0 ] || set -- packages go kernels staticcheck
for step in "$@"; do
	case $step in
	packages | go | kernels | staticcheck) "step_$step" ;;
	*) die "there is no step $step; steps are packages, go, kernels, staticcheck" ;;
	esac
done
say "all is there: $*"
