# SPDX-License-Identifier: BSL-1.0
"""Random123 is not in ConanCenter. Its sources are fetched at the commit of the release's tag."""
import os

from conan import ConanFile
from conan.tools.files import copy
from conan.tools.scm import Git

commits = {"1.14.0": "726a093cd9a73f3ec3c8d7a70ff10ed8efec8d13"}


class Random123(ConanFile):
    name = "random123"
    license = "BSD-3-Clause"
    url = "https://github.com/DEShawResearch/random123"
    description = "Counter-based random numbers"
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    no_copy_source = True

    def package_id(self):
        self.info.clear()

    def source(self):
        Git(self).fetch_commit(self.url, commits[str(self.version)])

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        include = os.path.join(self.package_folder, "include")
        copy(self, "Random123/*", os.path.join(self.source_folder, "include"), include)

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
