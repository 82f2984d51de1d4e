#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "launcher/image_pins.h"

/* The store's directory.
 *
 *   lock                    held by the one launcher that uses it
 *   blobs/sha256-…          manifests and configs as they came
 *   layers/sha256-…/        unpacked layers under the digest of their uncompressed archive
 *   references/sha256-…     for a digest that was asked for: the manifest's digest
 *   appc/sha512-…/          manifest and rootfs/
 *   images/sha256-…         an ImageRecord, written when all of an image is there; used when last modified
 *   names/<SHA-256>         an ImageNameRecord, under the hash of the name
 *   uploads/sha256-…        blobs that are being imported: with ".part" until they are whole
 *   sizes                   what the layers take, as far as it has been measured
 *   trash/                  what is being removed: renamed to here first, also removed at start
 *   staging/N/              being made; renamed from here when it is whole, removed at start
 *   unsynced/               a mark for each layer and AppC image that may be in memory only
 *
 * Everything but the opening runs in worker threads. */
enum image_folder {
    IMAGE_FOLDER_TOP, /* the directory itself */
    IMAGE_FOLDER_BLOBS,
    IMAGE_FOLDER_LAYERS,
    IMAGE_FOLDER_REFERENCES,
    IMAGE_FOLDER_APPC,
    IMAGE_FOLDER_IMAGES,
    IMAGE_FOLDER_NAMES,
    IMAGE_FOLDER_UPLOADS,
    IMAGE_FOLDER_STAGING,
    IMAGE_FOLDER_TRASH,
    IMAGE_FOLDER_UNSYNCED,
    IMAGE_FOLDER_COUNT
};

struct image_directory {
    char *path; /* absolute */
    int lock_fd;
    int folder_fds[IMAGE_FOLDER_COUNT];
    struct image_pins *pins;
};

/* Makes what is missing and removes what a crash left.  FAILED_PRECONDITION when another process uses
 * the directory. */
bool image_directory_open(struct image_directory *directory, const char *path,
                          struct error *err) MUST_CHECK;
void image_directory_close(struct image_directory *directory);

/* "sha256-…" for "sha256:…": a colon separates layers in overlayfs's options. */
const char *image_file_name(const char *digest, struct arena *arena);

/* NOT_FOUND when there is none. */
bool image_directory_read(const struct image_directory *directory, enum image_folder folder,
                          const char *name, size_t max_bytes, struct text *ret_bytes,
                          struct error *err) MUST_CHECK;

/* Whole and on disk, or not at all. */
bool image_directory_write(const struct image_directory *directory, enum image_folder folder,
                           const char *name, struct slice bytes, struct error *err) MUST_CHECK;

bool image_directory_has(const struct image_directory *directory, enum image_folder folder,
                         const char *name);

/* The names in a folder, in `arena`. */
bool image_directory_list(const struct image_directory *directory, enum image_folder folder,
                          struct arena *arena, const char ***ret_names, size_t *ret_count,
                          struct error *err) MUST_CHECK;

/* "could not <what>: …"; when the disk is full, RESOURCE_EXHAUSTED that names the directory and what is
 * left.  Always false. */
bool image_directory_fail(const struct image_directory *directory, int errnum, const char *what,
                          struct error *err);

/* RESOURCE_EXHAUSTED, with `need` behind it, such as "layer … of 30 MB does not fit".  Always false. */
bool image_directory_full(const struct image_directory *directory, const char *need,
                          struct error *err);

/* Takes a file or a tree away at once, into the trash, unless it is pinned.  False: it is pinned, or
 * cannot be moved.  Needs no room on the disk. */
bool image_directory_discard(const struct image_directory *directory, enum image_folder folder,
                             const char *name);

/* For one worker at a time. */
bool image_directory_empty_trash(const struct image_directory *directory,
                                 struct error *err) MUST_CHECK;

/* A directory in the making: what is put into `image_fd` appears under its name when it is
 * published, and is swept otherwise.  `trash_fd` lies beside it. */
struct image_staging {
    char name[32];
    int fd, image_fd, trash_fd;
};

#define IMAGE_STAGING_INIT                                                                         \
    {                                                                                              \
        .fd = -1, .image_fd = -1, .trash_fd = -1                                                   \
    }

bool image_staging_open(struct image_staging *staging, const struct image_directory *directory,
                        struct error *err) MUST_CHECK;

/* When another was published under the name meanwhile, that one stays and this succeeds. */
bool image_staging_publish(struct image_staging *staging, const struct image_directory *directory,
                           enum image_folder folder, const char *name,
                           struct error *err) MUST_CHECK;

/* Waits until all that is published is on disk, and removes the marks of that.  Publishing does not
 * wait for it, since a task shall start: a process that dies loses nothing, and when the machine stops
 * before the mark is gone, the next start removes what was marked. */
void image_directory_sync(const struct image_directory *directory);

/* Always, published or not.  What cannot be removed now waits for the next start. */
void image_staging_close(struct image_staging *staging, const struct image_directory *directory);
