#!/bin/sh
# Makes a CD image that boots Ringo on a PC with a BIOS, by GRUB.
#
# usage: scripts/iso.sh OUT.iso IMAGE [OPTIONS [BUNDLE]]
#
# OPTIONS is the host's command line, as one word. GRUB's menu and Ringo's
# console are on the first serial port, at 115200 bits a second.
set -eu

die() { echo "iso: error: $*" >&2; exit 1; }

[ $# -ge 2 ] && [ $# -le 4 ] || die "usage: scripts/iso.sh OUT.iso IMAGE [OPTIONS [BUNDLE]]"
out=$1 image=$2 options=${3-} bundle=${4-}
for tool in grub-mkrescue xorriso mformat; do
	command -v $tool >/dev/null || die "there is no $tool; scripts/install.sh packages installs it"
done
[ -f /usr/lib/grub/i386-pc/linux.mod ] || die "GRUB for BIOS is missing; scripts/install.sh packages installs it"
# These would end the quotes below, or the line.
case $options in *[\'\\]* | *"
"*) die "no quote, backslash or line end may be in the options: $options" ;; esac

tmp=$(mktemp -d "$out.XXXXXX")
trap 'rm -r "$tmp"' EXIT
tree=$tmp/tree
mkdir -p "$tree/boot/grub"
cp "$image" "$tree/boot/ringo"
[ -z "$bundle" ] || cp "$bundle" "$tree/boot/ringo.bundle"
words=
for w in $options; do words="$words '$w'"; done
cat >"$tree/boot/grub/grub.cfg" <<EOF
serial --unit=0 --speed=115200
terminal_output serial
set timeout=0
menuentry "Ringo" {
	linux /boot/ringo$words
${bundle:+	initrd /boot/ringo.bundle}
}
EOF
grub-mkrescue -o "$tmp/iso" --compress=no --locales= --fonts= --themes= \
	--install-modules="normal linux iso9660 biosdisk serial terminal" \
	"$tree" >"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; die "grub-mkrescue failed"; }
mv "$tmp/iso" "$out"
