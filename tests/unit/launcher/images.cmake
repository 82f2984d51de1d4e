foreach(file aci aci_name config digest discovery gc manifest name path pins)
    unit_test(launcher/image_${file} image_core)
endforeach()
