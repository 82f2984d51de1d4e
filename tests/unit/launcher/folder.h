#pragma once

/* A directory for one test, removed with all in it. */
struct folder {
    char path[64];
};

struct folder folder_make(void);
void folder_remove(struct folder *folder);

/* Makes directories and files in it; `path` is relative. */
void folder_add_file(const struct folder *folder, const char *path, const char *content);
