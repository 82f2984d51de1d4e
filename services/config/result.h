#pragma once

#include "config/job.h"

/* Results of a compilation as protobuf messages and as canonical JSON. */

Eos__Config__V1__Position *result_position(struct arena *arena, struct span at);
Eos__Config__V1__Diagnostic *result_diagnostic(struct arena *arena,
                                               const struct diagnostic *diagnostic,
                                               const char *severity);
/* What the exception on its way says; clears it. */
struct diagnostic result_exception(struct vm *vm);

/* Fills a protobuf message from a Thrift-like value; fails when a number does not fit. */
bool result_message(struct vm *vm, struct value v, const ProtobufCMessageDescriptor *descriptor,
                    void **ret);

/* The job result in the canonical form. */
bool result_canonical(struct vm *vm, const struct job *job, struct value key, struct value cluster,
                      const struct diagnostic *update_error, struct string **ret);

/* Image references that the job's texts still hold. */
void result_open_images(struct vm *vm, struct value configuration,
                        Eos__Config__V1__JobResult *result);
