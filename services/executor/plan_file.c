#include "executor/plan_file.h"

#include "executor/files.h"
#include "executor/plan.h"

#include "base/cleanup.h"

#include <fcntl.h>

bool plan_read(const char *path, Eos__Executor__V1__TaskPlan **ret_plan, struct error *err)
{
    cleanup_text struct text bytes = TEXT_INIT;
    return file_read(AT_FDCWD, path, PLAN_MAX_BYTES, &bytes, err) &&
           plan_decode(text_slice(&bytes), ret_plan, err);
}
