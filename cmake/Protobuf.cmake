find_program(PROTOC_C protoc-c REQUIRED)

# Generated code is compiled as a target of its own, without our warnings.  Files are named from the
# folder proto/, and included as "eos/job/v1/job.pb-c.h".
function(add_proto target)
    foreach(file IN LISTS ARGN)
        string(REGEX REPLACE "\\.proto$" ".pb-c" stem ${file})
        set(out ${CMAKE_CURRENT_BINARY_DIR}/${stem})
        add_custom_command(OUTPUT ${out}.c ${out}.h
            COMMAND ${PROTOC_C} --c_out=${CMAKE_CURRENT_BINARY_DIR} -I${CMAKE_CURRENT_SOURCE_DIR} ${file}
            WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
            DEPENDS ${ARGN} VERBATIM)
        list(APPEND generated ${out}.c)
    endforeach()
    add_library(${target} STATIC ${generated})
    target_include_directories(${target} SYSTEM PUBLIC ${CMAKE_CURRENT_BINARY_DIR})
    target_link_libraries(${target} PUBLIC PkgConfig::PROTOBUF_C)
endfunction()
