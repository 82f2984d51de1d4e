#include "registry/grants.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/map.h"

struct entry {
    struct grant grant;
    char *header;
    uint64_t expires_at_ms;
};

struct grants {
    struct map *entries; /* "base_url repository" -> struct entry */
    uint64_t last_serial;
};

static void entry_free(struct entry *entry)
{
    if (!entry)
        return;
    explicit_bzero(entry->header, strlen(entry->header));
    free(entry->header);
    free(entry);
}

static void forget_all(struct grants *grants)
{
    size_t cursor = 0;
    struct slice key;
    void *value;
    while (map_next(grants->entries, &cursor, &key, &value))
        entry_free(value);
    map_free(grants->entries);
}

struct grants *grants_new(void)
{
    struct grants *grants = xcalloc(1, sizeof *grants);
    grants->entries = map_new();
    return grants;
}

void grants_free(struct grants *grants)
{
    if (!grants)
        return;
    forget_all(grants);
    free(grants);
}

static char *key_of(const char *base_url, const char *repository)
{
    return xasprintf("%s %s", base_url, repository);
}

const struct grant *grants_find(const struct grants *grants, const char *base_url,
                                const char *repository, uint64_t now_ms)
{
    cleanup_free char *key = key_of(base_url, repository);
    const struct entry *entry = map_get(grants->entries, slice_of(key));
    return entry && now_ms < entry->expires_at_ms ? &entry->grant : NULL;
}

void grants_put(struct grants *grants, const char *base_url, const char *repository,
                enum auth_scheme scheme, const char *header, uint64_t expires_at_ms)
{
    cleanup_free char *key = key_of(base_url, repository);
    struct entry *entry = xcalloc(1, sizeof *entry);

    if (map_count(grants->entries) >= GRANTS_MAX) {
        forget_all(grants);
        grants->entries = map_new();
    }
    entry->header = xstrdup(header);
    entry->grant = (struct grant){ scheme, entry->header, ++grants->last_serial };
    entry->expires_at_ms = expires_at_ms;
    entry_free(map_put(grants->entries, slice_of(key), entry));
}

void grants_forget(struct grants *grants, const char *base_url, const char *repository)
{
    cleanup_free char *key = key_of(base_url, repository);
    entry_free(map_remove(grants->entries, slice_of(key)));
}
