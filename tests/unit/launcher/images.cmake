foreach(file aci aci_name config digest discovery manifest name path)
    unit_test(launcher/image_${file} image_core)
endforeach()
