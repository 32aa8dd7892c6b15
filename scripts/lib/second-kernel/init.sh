#!/bin/sh
# The first process of the second kernel. The host's files are its root, read-only; what is written goes to /tmp (an ext4 of its own, with
# project quotas), to /run (memory) and to the folder of results. Its settings come as variables from the kernel's command line.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp/root
end() {
  # Not an orderly shutdown: nothing here is to be kept.
  echo o >/proc/sysrq-trigger
  sleep 10
}
trap end EXIT
mount -t proc proc /proc && mount -t sysfs sysfs /sys && mount -t tmpfs tmpfs /run || exit
mkdir -p /dev/pts /dev/shm /dev/mqueue
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup

mkdir -p /run/modules/lib /run/lock
ln -s "$KERNEL_MODULES" /run/modules/lib/modules
printf '#!/bin/sh\nexec %s -d /run/modules "$@"\n' "$KERNEL_MODPROBE" >/run/modules/modprobe
chmod +x /run/modules/modprobe
echo /run/modules/modprobe >/proc/sys/kernel/modprobe
for module in ext4 overlay loop erofs bridge veth quota_v2; do /run/modules/modprobe -q "$module"; done

mount -o prjquota,nodiscard /dev/ubda /tmp || exit
mkdir -p /tmp/root /tmp/var-tmp
mount --bind /tmp/var-tmp /var/tmp
# Tests of user namespaces lend ids to users.
for file in /etc/subuid /etc/subgid; do
  [ -e "$file" ] && cp "$file" /tmp/root && mount --bind "/tmp/root/${file##*/}" "$file"
done
# Files of the host that /tmp and /run have covered.
for folder in "$HOST_TREE" "$HOST_RESULTS"; do
  case $folder in /tmp/* | /run/*) mkdir -p "$folder" ;; esac
done
case $HOST_TREE in /tmp/* | /run/*) mount -t hostfs -o "$HOST_TREE,ro" none "$HOST_TREE" ;; esac
mount -t hostfs -o "$HOST_RESULTS" none "$HOST_RESULTS"

ip link set lo up
hostname "second-kernel-$MACHINE"
[ -z "$HOST_PATH" ] || PATH=$HOST_PATH:$PATH
cd "$HOST_TREE" || exit
"$HOST_BUN" scripts/lib/second-kernel/inside.ts "$HOST_RESULTS" "$MACHINE" </dev/null >/dev/tty1 2>&1
