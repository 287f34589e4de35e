#!/bin/sh
# Makes the file system of a slim Debian from Debian packages, as a tar archive: the base of the `debian` image kind
# where no registry answers. It holds what `debian:bookworm-slim` holds: the required packages and apt, security updates
# included, without documentation, translations and package lists.
#
# Usage: base.sh OUT.tar
# Needs mmdebstrap and the keys in debian-archive-keyring, and root (or a user who may make user namespaces).
# MIRROR may name one other mirror, which is then the only source.
set -eu

suite=bookworm
out=$1

# Times in the archive are cut to this one (the suite's release), so that the same packages make the same bytes.
SOURCE_DATE_EPOCH=1686355200
export SOURCE_DATE_EPOCH

# Without the package usr-is-merged and its hook, apt takes usrmerge instead, and with it all of perl.
# What dpkg leaves out is what slim images leave out; copyright files stay, as their licences ask.
exec mmdebstrap \
    --variant=minbase \
    --include=usr-is-merged \
    --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/info/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/share/groff/*' \
    --dpkgopt='path-exclude=/usr/share/linda/*' \
    --dpkgopt='path-exclude=/usr/share/lintian/*' \
    --aptopt='Acquire::Languages "none"' \
    --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/log/*.log "$1"/var/log/apt/*' \
    --customize-hook='rm -f "$1"/var/cache/apt/*.bin "$1"/var/cache/debconf/*-old "$1"/var/lib/dpkg/*-old' \
    "$suite" "$out" ${MIRROR:+"$MIRROR"}
