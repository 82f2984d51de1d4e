#!/usr/bin/env bash
# Containers with cgroups of version 2 and the oldest kernel that is supported, in a virtual machine: a
# host with version 1 mounted has no controllers left for version 2.  Needs a kernel:
#
#     EOS_TEST_KERNEL=…/vmlinuz-6.1.0-x-cloud-amd64 EOS_TEST_MODULES=…/lib/modules/6.1.0-x-cloud-amd64
#
# or one of Debian's linux-image-cloud-amd64 in /boot, and qemu-system-x86; skipped without them.
set -uo pipefail

BIN=${EOS_BIN:-build/bin}
SOURCE=${EOS_SOURCE:-$(cd "$(dirname "$0")/../../.." && pwd)}
KERNEL=${EOS_TEST_KERNEL:-$(ls /boot/vmlinuz-*-cloud-amd64 2>/dev/null | tail -n 1)}
MODULES=${EOS_TEST_MODULES:-/lib/modules/$(basename "$KERNEL" | sed 's/^vmlinuz-//')}
OVERLAY=$MODULES/kernel/fs/overlayfs/overlay.ko

for needed in "$KERNEL" "$OVERLAY" "$(command -v qemu-system-x86_64)" "$(command -v protoc)" /bin/busybox; do
    [ -n "$needed" ] && [ -e "$needed" ] || { echo "no kernel or no machine to run it in: skipped" >&2; exit 77; }
done
# The program with sanitizers needs libraries that the machine does not have.
! grep -q asan <(ldd "$BIN/eos-executor" 2>/dev/null) || { echo "not a static program: skipped" >&2; exit 77; }

DIR=$(mktemp -d /tmp/eos-v2.XXXXXX) || exit 1
trap 'rm -rf "$DIR"' EXIT
ROOT=$DIR/root
mkdir -p "$ROOT"/{bin,image/bin,plans,proc,sys,dev,new,tmp}
cp /bin/busybox "$ROOT/bin/"
cp /bin/busybox "$ROOT/image/bin/"
for applet in sh mount mkdir cat insmod echo cp switch_root poweroff ls; do ln -s busybox "$ROOT/bin/$applet"; done
for applet in sh cat dd sleep grep head ls echo; do ln -s busybox "$ROOT/image/bin/$applet"; done
cp "$BIN/eos-executor" "$OVERLAY" "$ROOT/bin/"

# plan NAME LIMITS COMMAND
plan() {
    mkdir -p "$ROOT/t/$1"/{run,sandbox,upper,work,root}
    protoc --encode=eos.executor.v1.TaskPlan -I "$SOURCE/proto" eos/executor/v1/executor.proto > "$ROOT/plans/$1" <<PLAN
task_id: "$1" run_directory: "/t/$1/run" sandbox: "/sandbox" log_directory: "/sandbox/.logs"
processes { name: "p" cmdline: "$3" max_failures: 1 }
max_failures: 1 finalization_wait_secs: 5 kill_grace_ms: 1000
container {
    root { layers: "/image" upper: "/t/$1/upper" work: "/t/$1/work" mount_point: "/t/$1/root" }
    mounts { type: "proc" source: "proc" target: "/proc" }
    mounts { type: "tmpfs" source: "tmpfs" target: "/dev" }
    mounts { type: "cgroup" source: "cgroup" target: "/sys/fs/cgroup" readonly: true }
    mounts { type: "bind" source: "/t/$1/sandbox" target: "/sandbox" }
    unshare_mount: true unshare_pid: true unshare_ipc: true unshare_uts: true unshare_cgroup: true
    cgroup { version: V2 path: "eos/$1" $2 }
    no_new_privileges: true default_seccomp: true
    devices { path: "/dev/null" } devices { path: "/dev/zero" }
}
PLAN
}
plan limits 'cpus: 0.5 cpu_hard_limit: true memory_bytes: 67108864 pids: 20' \
    'cd /sys/fs/cgroup; cat memory.max memory.oom.group cpu.max cpu.weight pids.max; grep . /proc/self/cgroup'
plan memory 'memory_bytes: 33554432' 'dd if=/dev/zero of=/dev/null bs=200M count=1; sleep 1000'
plan pids 'pids: 10' 'for i in 1 2 3 4 5 6 7 8 9 10 11; do sleep 1000 & done; exit 4'
plan none '' 'echo nothing is limited'

cat > "$ROOT/init" <<'INIT'
#!/bin/sh
# A root on initramfs cannot be pivoted.
mount -t tmpfs -o size=400m tmpfs /new
cp -a /bin /image /plans /proc /sys /dev /tmp /t /second /new/
exec switch_root /new /second
INIT
cat > "$ROOT/second" <<'SECOND'
#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t cgroup2 cgroup2 /sys/fs/cgroup
insmod /bin/overlay.ko
echo # the firmware has left its own on the line
for plan in limits memory pids none; do
    /bin/eos-executor --plan /plans/$plan --linger 0s 2>&1
    echo "$plan exits with $?"
    cat /t/$plan/sandbox/.logs/p/0/stdout
done
echo "left: $(ls /sys/fs/cgroup | busybox grep eos)"
poweroff -f
SECOND
chmod +x "$ROOT/init" "$ROOT/second"
(cd "$ROOT" && find . | busybox cpio -o -H newc 2>/dev/null) | gzip -1 > "$DIR/initrd"

# The smaller machine "microvm" has no clock that its kernel could measure time with reliably.
timeout 120 qemu-system-x86_64 -machine pc -accel tcg -cpu max -m 1024 -nographic -no-reboot \
    -kernel "$KERNEL" -initrd "$DIR/initrd" -append "console=ttyS0 quiet panic=-1" -nic none < /dev/null |
    tr -d '\r' > "$DIR/console"

failures=0
expect() {
    if grep -qxE "$1" "$DIR/console"; then
        echo "ok   $1"
    else
        echo "FAIL nowhere: $1"
        failures=$((failures + 1))
    fi
}
expect 'limits exits with 0'
expect '67108864'
expect '50000 100000'
expect '0::/'
expect '.*error executor: memory limit of 32 MiB exceeded task=memory'
expect 'memory exits with 1'
expect '.*its limit of 10 processes was reached.*'
expect 'none exits with 0'
expect 'nothing is limited'
expect 'left: '
[ $failures -eq 0 ] || { cat "$DIR/console"; exit 1; }
