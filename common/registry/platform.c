#include "registry/platform.h"

#include <string.h>

#if defined(__x86_64__)
#define ARCHITECTURE "amd64"
#define VARIANT      ""
#elif defined(__aarch64__)
#define ARCHITECTURE "arm64"
#define VARIANT      "v8"
#elif defined(__arm__)
#define ARCHITECTURE "arm"
#define VARIANT      "v7"
#elif defined(__i386__)
#define ARCHITECTURE "386"
#define VARIANT      ""
#elif defined(__powerpc64__)
#define ARCHITECTURE "ppc64le"
#define VARIANT      ""
#elif defined(__s390x__)
#define ARCHITECTURE "s390x"
#define VARIANT      ""
#elif defined(__riscv)
#define ARCHITECTURE "riscv64"
#define VARIANT      ""
#else
#error "this processor has no name among the platforms of images"
#endif

#if defined(__x86_64__)
/* The levels of the psABI, by the features that set them apart. */
static const char *variant_of_host(void)
{
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("sse4.2") || !__builtin_cpu_supports("popcnt"))
        return VARIANT;
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2") ||
        !__builtin_cpu_supports("fma"))
        return "v2";
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512cd") || !__builtin_cpu_supports("avx512dq") ||
        !__builtin_cpu_supports("avx512vl"))
        return "v3";
    return "v4";
}
#else
static const char *variant_of_host(void)
{
    return VARIANT;
}
#endif

struct platform platform_host(void)
{
    return (struct platform){ "linux", ARCHITECTURE, variant_of_host() };
}

/* What an absent variant means. */
static const struct {
    const char *architecture, *variant;
} defaults[] = {
    { "amd64", "v1" },
    { "arm64", "v8" },
    { "arm", "v7" },
};

static const char *variant_of(const struct platform *platform)
{
    if (platform->variant[0])
        return platform->variant;
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
        if (strcmp(platform->architecture, defaults[i].architecture) == 0)
            return defaults[i].variant;
    return "";
}

/* "v7" is 7; 0 for anything else. */
static unsigned variant_number(const char *variant)
{
    if (variant[0] != 'v' || variant[1] < '1' || variant[1] > '9' || variant[2])
        return 0;
    return (unsigned)(variant[1] - '0');
}

unsigned platform_fit(const struct platform *image, const struct platform *host)
{
    if (strcmp(image->os, host->os) != 0 || strcmp(image->architecture, host->architecture) != 0)
        return 0;
    const char *wanted = variant_of(host);
    const char *offered = variant_of(image);
    if (strcmp(wanted, offered) == 0)
        return 100;
    unsigned most = variant_number(wanted), number = variant_number(offered);
    return number > 0 && number <= most ? number : 0;
}
