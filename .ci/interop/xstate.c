/* The guest's kernel (user-mode Linux 6.1) sets the floating point registers of its processes with a buffer of 2,696 octets.
 * The host's kernel accepts only the size of its own processor (ptrace(2): EFAULT), and no guest boots. This library, loaded
 * with LD_PRELOAD, passes the host's size; what is beyond the guest's buffer is in its initial state. */
#define _GNU_SOURCE
#include <cpuid.h>
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

long ptrace(enum __ptrace_request request, ...)
{
    static long (*real)(enum __ptrace_request, pid_t, void *, void *);
    static char whole[65536] __attribute__((aligned(64)));
    unsigned size = 0, b, c, d;
    va_list arguments;
    va_start(arguments, request);
    pid_t pid = va_arg(arguments, pid_t);
    void *address = va_arg(arguments, void *);
    void *data = va_arg(arguments, void *);
    va_end(arguments);
    if (!real)
        real = (long (*)(enum __ptrace_request, pid_t, void *, void *))dlsym(RTLD_NEXT, "ptrace");
    if (request == PTRACE_SETREGSET && (long)address == NT_X86_XSTATE && __get_cpuid_count(0xd, 0, &b, &size, &c, &d)
        && size <= sizeof whole) {
        const struct iovec *guest = data;
        struct iovec host = { whole, size };
        memset(whole, 0, size);
        memcpy(whole, guest->iov_base, guest->iov_len < size ? guest->iov_len : size);
        return real(request, pid, address, &host);
    }
    return real(request, pid, address, data);
}
