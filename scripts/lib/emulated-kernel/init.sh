#!/bin/sh
# The second process of the emulated kernel, when it sees its root, read-only: the host's files, or a system for another processor. What is
# written goes to /tmp (an ext4 of its own) and to /run (memory). Its settings come as variables from the kernel's command line.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp/root NO_COLOR=1
end() {
  # Not an orderly shutdown: nothing here is to be kept. No program may be run any more: where they lie goes first.
  echo o >/proc/sysrq-trigger
  while :; do :; done
}
trap end EXIT
mount -t proc proc /proc && mount -t sysfs sysfs /sys && mount -t tmpfs tmpfs /run && mount -t devtmpfs dev /dev || exit
mkdir -p /dev/pts /dev/shm /dev/mqueue
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
exec </dev/null >/dev/console 2>&1

if [ "$CGROUPS" = v1 ]; then
  mount -t tmpfs tmpfs /sys/fs/cgroup
  for controller in cpuset cpu,cpuacct memory devices freezer pids blkio perf_event net_cls,net_prio; do
    mkdir -p "/sys/fs/cgroup/$controller"
    mount -t cgroup -o "$controller" cgroup "/sys/fs/cgroup/$controller"
  done
  mkdir /sys/fs/cgroup/systemd
  mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
else
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi

mkdir -p /run/lock
printf '#!/bin/sh\nexec /sbin/modprobe -d %s "$@"\n' "$MODULES_ROOT" >/run/modprobe
chmod +x /run/modprobe
echo /run/modprobe >/proc/sys/kernel/modprobe
for module in ext4 overlay loop erofs bridge br_netfilter veth tun nf_tables; do /run/modprobe -q "$module"; done

mount /dev/vda /tmp || exit
mkdir -p /tmp/root /tmp/var-tmp
mount --bind /tmp/var-tmp /var/tmp
ip link set lo up
hostname emulated-kernel
[ -z "$HOST_PATH" ] || PATH=$HOST_PATH:$PATH
cd "$HOST_TREE" || exit
# Everything takes its time on a processor that is emulated.
export GANTRY_TEST_PATIENCE=6
uname -r
! command -v criu >/dev/null || criu check
"$HOST_BUN" test --timeout 600000 ${TEST_NAME:+--test-name-pattern "$TEST_NAME"} $(echo "$TEST_FILES" | tr , ' ')
echo "tests have ended with $?"
