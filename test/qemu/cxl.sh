#!/bin/bash
# A machine with a CXL memory expander and a memory node without processors, in QEMU: boots Debian's
# kernel there and runs `sterna devices` and the placing of a ring on that node, on the real sysfs
# and the real mbind. Takes a minute; not part of npm test. Needs a build (npm run build) and
#   apt-get install qemu-system-x86 busybox-static cpio kmod
# and downloads linux-image-amd64 by apt-get. Prints what the guest says; fails where it is not so.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
node=$here/node_modules/.bin/node
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

image=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p')
[ -n "${STERNA_KERNEL_DEB:-}" ] && cp "$STERNA_KERNEL_DEB" . || apt-get download -q "$image" >/dev/null 2>&1
dpkg-deb -x "$image"_*.deb kernel
version=$(ls kernel/lib/modules)
depmod -b kernel "$version"

mkdir -p root/bin root/dev root/proc root/sys root/host root/modules
cp /bin/busybox root/bin/
names=""
for name in virtio_pci 9pnet_virtio 9p cxl_acpi cxl_pmem cxl_mem cxl_pci; do
  for file in $(modprobe -d "$work/kernel" -S "$version" --show-depends "$name" | awk '/^insmod/ { print $2 }'); do
    base=$(basename "$file")
    [ -e "root/modules/$base" ] && continue
    cp "$file" root/modules/
    names="$names $base"
  done
done

cat >place.mjs <<'PLACE'
import { readFileSync } from "node:fs";
const { openShared } = await import(`${process.argv[2]}/dist/agent/base/shared-buffer.js`);
const ring = await openShared("sterna-qemu", 2 ** 20, 1);
new Uint8Array(ring.memory).fill(1);
const maps = readFileSync("/proc/self/numa_maps", "utf8").split("\n");
console.log("ring:", maps.find((line) => line.includes("sterna-qemu")));
ring.unlink();
const none = await openShared("sterna-qemu", 2 ** 20, 7).catch((error) => error.message);
console.log("absent node:", none);
PLACE

cat >root/init <<INIT
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t sysfs none /sys
for file in $names; do insmod /modules/\$file || echo "no \$file"; done
mount -t 9p -o trans=virtio,version=9p2000.L,cache=loose,ro host /host
mount -t proc none /host/proc
mount -t sysfs none /host/sys
mount -t devtmpfs none /host/dev
mkdir -p /host/dev/shm
mount -t tmpfs none /host/dev/shm
for file in ram/size pmem/size numa_node; do
  echo "mem0/\$file: \$(cat /sys/bus/cxl/devices/mem0/\$file)"
done
echo "node1/cpulist: \$(cat /sys/devices/system/node/node1/cpulist)"
chroot /host $node $here/dist/agent/main.js devices
chroot /host $node $work/place.mjs $here
echo "kernel \$(uname -r), QEMU under TCG, \$(cut -d' ' -f1 /proc/uptime) s"
poweroff -f
INIT
chmod +x root/init
(cd root && find . | cpio -o -H newc --quiet | gzip -1) >initrd.gz

timeout 300 qemu-system-x86_64 -machine q35,cxl=on -accel tcg,thread=multi -cpu max -smp 1 \
  -m 1G -nographic -no-reboot \
  -object memory-backend-ram,id=near,size=768M -numa node,nodeid=0,cpus=0,memdev=near \
  -object memory-backend-ram,id=far,size=256M -numa node,nodeid=1,memdev=far \
  -object memory-backend-ram,id=expander,share=on,size=256M \
  -object memory-backend-ram,id=labels,share=on,size=1M \
  -device pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1 \
  -device cxl-rp,port=0,bus=cxl.1,id=root.1,chassis=0,slot=2 \
  -device cxl-type3,bus=root.1,memdev=expander,lsa=labels,id=mem0 \
  -M cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G \
  -fsdev local,path=/,id=host,security_model=none,readonly=on,multidevs=remap \
  -device virtio-9p-pci,bus=pcie.0,fsdev=host,mount_tag=host \
  -kernel "kernel/boot/vmlinuz-$version" -initrd initrd.gz \
  -append "console=ttyS0 quiet panic=-1" </dev/null | tr -d '\r' | tee said

for wanted in \
  'CXL mem0  *0.3 GiB persistent, on no memory node' \
  'memory node 1  *memory alone' \
  'ring: .*prefer:1 .*N1=256' \
  'absent node: .*memory node 7: errno'; do
  grep -q "$wanted" said || { echo "missing: $wanted"; exit 1; }
done
