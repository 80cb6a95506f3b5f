# SPDX-License-Identifier: BSL-1.0
"""xtensor-blas is not in ConanCenter. Its sources are fetched at the commit of the release's tag."""
import os

from conan import ConanFile
from conan.tools.files import copy
from conan.tools.scm import Git

commits = {  # version: (commit, the xtensor it belongs to)
    "0.20.0": ("66ab0fa7cd53d0b914f89d4d451576a9240ea457", "[>=0.24.0 <0.25]"),
    "0.23.0": ("836a8047413eb64ce8e034ab6ab7ce1608562bfc", "[>=0.27.0 <0.28]"),
}


class XtensorBlas(ConanFile):
    name = "xtensor-blas"
    license = "BSD-3-Clause"
    url = "https://github.com/xtensor-stack/xtensor-blas"
    description = "BLAS and LAPACK for xtensor's arrays"
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    no_copy_source = True

    def requirements(self):
        self.requires("xtensor/" + commits[str(self.version)][1])
        self.requires("openblas/[>=0.3.20 <0.4]")

    def package_id(self):
        self.info.clear()

    def source(self):
        Git(self).fetch_commit(self.url, commits[str(self.version)][0])

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        include = os.path.join(self.package_folder, "include")
        copy(self, "*", os.path.join(self.source_folder, "include"), include)

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.set_property("cmake_file_name", "xtensor-blas")
        self.cpp_info.set_property("cmake_target_name", "xtensor-blas")
