#pragma once

#include "config/compile.h"
#include "config/template.h"

/* From a job of the configuration to what is sent to the scheduler, step by step as Aurora's client
 * does it.  Plain results are values with the field names of Aurora's Thrift structs. */

struct job {
    struct vm *vm;
    const struct object *object; /* with all that is bound to it */
    struct value configuration;  /* JobConfiguration */
    struct value update;         /* JobUpdateSettings, or K_UNBOUND */
    bool announcer_port_unused, production_deprecated;
};

/* --- job.c --- */

/* Steps 1 to 7: everything but the update settings.  Fails with an exception in the vm. */
bool job_convert(struct job *job, const struct value *bindings, size_t binding_count);

/* A field's plain content; what is not set counts as missing, with the reference's words. */
bool job_field(struct vm *vm, const struct object *object, const char *name, struct value *ret);
/* The same for a field that must be set to an object. */
bool job_part(struct vm *vm, const struct object *object, const char *name,
              const struct object **ret);
bool job_is_dedicated(struct vm *vm, const struct object *job, bool *ret);

/* --- job_checks.c --- */

bool job_check_settings(struct job *job);

/* --- ports.c --- */

/* Names of the ports that the scheduler has to give, in order of appearance. */
bool job_ports(struct vm *vm, const struct object *job, struct value *ret_list);

/* --- plan.c --- */

/* Process names, types, order and open references of a task. */
bool task_validate(struct vm *vm, const struct object *task);

/* --- convert.c --- */

/* `job` is filled in. */
bool convert_job(struct vm *vm, const struct object *job, const struct value *ports,
                 struct value *ret);
/* True for what the binder fills in. */
bool reference_is_image(struct slice reference, struct slice *ret_name, struct slice *ret_tag);

/* What the scheduler, the executor and the binder know when the time comes. */
bool reference_may_stay_open(struct slice reference);

/* --- update.c --- */

bool convert_update(struct vm *vm, const struct object *job, const int32_t *instances,
                    size_t instance_count, struct value *ret);
