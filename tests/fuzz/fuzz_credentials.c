#include "clusters/clusters.h"
#include "registry/credentials.h"

#include <stdint.h>

/* The files that users write: config.json, .netrc, clusters.json. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = { (const char *)data, size };
    struct credentials *credentials = credentials_new();
    struct clusters *clusters = clusters_new();
    struct error err;
    (void)!credentials_add_docker(credentials, text, &err);
    (void)!credentials_add_netrc(credentials, text, &err);
    (void)!clusters_add_text(clusters, "file", text, &err);
    (void)credentials_find(credentials, SLICE("host:5000"));
    clusters_free(clusters);
    credentials_free(credentials);
    return 0;
}
