#pragma once

#include "launcher/image_directory.h"

/* The marks of what was published and may be in memory only; image_directory.h says why. */

/* Before it is published. */
bool image_unsynced_mark(const struct image_directory *directory, enum image_folder folder,
                         const char *name, struct error *err) MUST_CHECK;

/* At start: when the machine was started since, what is marked goes to staging, to be swept. */
bool image_unsynced_recover(const struct image_directory *directory, struct error *err) MUST_CHECK;
