#include "client/curl_library.h"

#include <dlfcn.h>

#define LIBRARY "libcurl.so.4"

static bool find_functions(void *handle, struct curl_library *library)
{
#define CURL_FUNCTION(name)                                                                        \
    library->name = (__typeof__(library->name))dlsym(handle, "curl_" #name);                       \
    if (!library->name)                                                                            \
        return false;
#include "client/curl_functions.def"
#undef CURL_FUNCTION
    return true;
}

const struct curl_library *curl_library_load(struct error *err)
{
    static struct curl_library library;
    static bool is_loaded;
    if (is_loaded)
        return &library;
    void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!handle || !find_functions(handle, &library) ||
        library.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        error_set(err, ERROR_FAILED_PRECONDITION,
                  "could not load " LIBRARY ", install the package libcurl4");
        return NULL;
    }
    is_loaded = true;
    return &library;
}
