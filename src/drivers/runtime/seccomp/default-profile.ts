import type { RuntimeSeccomp, RuntimeSyscallRule } from "#types/oci/runtime-spec.ts";

/**
 * The default seccomp profile: every system call that is not named is answered EPERM. Which calls a container gets depends on its
 * capabilities and on the architecture; both lists hold what Docker's default profile allows, so that programs meet no surprise.
 */
const words = (text: string): string[] => text.split(/\s+/).filter(Boolean);

/** Allowed for every container. */
const always = words(`
  _llseek _newselect accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown
  chown32 clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
  clock_nanosleep clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3
  epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd
  eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark
  fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock
  fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex
  futex_requeue futex_time64 futex_wait futex_waitv futex_wake futimesat get_robust_list get_thread_area getcpu
  getcwd getdents getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer
  getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32
  getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid getuid32 getxattr getxattrat
  inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents
  io_pgetevents_time64 io_setup io_submit ioctl ioprio_get ioprio_set ipc kill landlock_add_rule
  landlock_create_ruleset landlock_restrict_self lchown lchown32 lgetxattr link linkat listen listmount
  listxattr listxattrat llistxattr lremovexattr lseek lsetxattr lstat lstat64 madvise map_shadow_stack
  membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2
  mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend
  mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall munmap
  name_to_handle_at nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2
  pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64
  process_mrelease process_vm_readv process_vm_writev pselect6 pselect6_time64 ptrace pwrite64 pwritev pwritev2
  read readahead readlink readlinkat readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages
  removexattr removexattrat rename renameat renameat2 restart_syscall riscv_hwprobe rmdir rseq rt_sigaction
  rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64
  rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam
  sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr
  sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop semtimedop_time64
  send sendfile sendfile64 sendmmsg sendmsg sendto set_robust_list set_thread_area set_tid_address setfsgid
  setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setpgid setpriority setregid
  setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid
  setuid32 setxattr setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 sigprocmask
  sigreturn socketcall socketpair splice stat stat64 statfs statfs64 statmount statx symlink symlinkat sync
  sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime
  timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime
  timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname unlink unlinkat uretprobe utime
  utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write writev
`);

/** Allowed in addition to those who have the capability. */
const byCapability: Readonly<Record<string, readonly string[]>> = {
  CAP_BPF: words(`bpf`),
  CAP_DAC_READ_SEARCH: words(`open_by_handle_at`),
  CAP_PERFMON: words(`perf_event_open`),
  CAP_SYSLOG: words(`syslog`),
  CAP_SYS_ADMIN: words(`bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr
    lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl
    quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare`),
  CAP_SYS_BOOT: words(`reboot`),
  CAP_SYS_CHROOT: words(`chroot`),
  CAP_SYS_MODULE: words(`delete_module finit_module init_module`),
  CAP_SYS_NICE: words(`get_mempolicy mbind set_mempolicy set_mempolicy_home_node`),
  CAP_SYS_PACCT: words(`acct`),
  CAP_SYS_PTRACE: words(`kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace`),
  CAP_SYS_RAWIO: words(`ioperm iopl`),
  CAP_SYS_TIME: words(`clock_settime clock_settime64 settimeofday stime`),
  CAP_SYS_TTY_CONFIG: words(`vhangup`),
};

const byArchitecture: Readonly<Record<string, readonly string[]>> = {
  x64: words("arch_prctl modify_ldt"),
  arm64: words("arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls"),
};

const subArchitectures: Readonly<Record<string, readonly string[]>> = {
  x64: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
  arm64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
};

const EPERM = 1;
const ENOSYS = 38;
const AF_ALG = 38;
const AF_VSOCK = 40;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET together. */
const namespaceFlags = 0x7e020000;
/** Execution domains of personality(2): Linux, UNAME26, 32-bit, both, and "only ask". */
const personalities = [0x0, 0x0008, 0x20000, 0x20008, 0xffffffff];

/** The profile for one set of capabilities (names with CAP_), on this machine's architecture. */
export function defaultSeccompProfile(capabilities: readonly string[], architecture: string = process.arch): RuntimeSeccomp {
  const allowed = [...always, ...(byArchitecture[architecture] ?? []), ...capabilities.flatMap((name) => byCapability[name] ?? [])];
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: EPERM,
    architectures: subArchitectures[architecture] ?? [],
    syscalls: [
      { names: [...new Set(allowed)], action: "SCMP_ACT_ALLOW" },
      ...socketRules,
      ...personalities.map((value) => allowIf("personality", value, "SCMP_CMP_EQ")),
      ...(capabilities.includes("CAP_SYS_ADMIN") ? [] : namespaceRules),
    ],
  };
}

/** Every address family but AF_ALG and AF_VSOCK: the one reaches kernel crypto code, the other the hypervisor. */
const socketRules: readonly RuntimeSyscallRule[] = [
  allowIf("socket", AF_ALG, "SCMP_CMP_LT"),
  allowIf("socket", AF_ALG + 1, "SCMP_CMP_EQ"),
  allowIf("socket", AF_VSOCK, "SCMP_CMP_GT"),
];

/** clone without new namespaces; clone3 hides its flags in memory, so libc must be told to fall back to clone. */
const namespaceRules: readonly RuntimeSyscallRule[] = [
  {
    names: ["clone"],
    action: "SCMP_ACT_ALLOW",
    args: [{ index: 0, value: namespaceFlags, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }],
  },
  { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: ENOSYS },
];

function allowIf(name: string, value: number, op: string): RuntimeSyscallRule {
  return { names: [name], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value, op }] };
}
