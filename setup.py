"""The packages to install: ours, and the lessons, which ``minilstm learn`` copies.

All else is in setup.cfg, which cannot say both.
"""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["minilstm", "minilstm.*"]),
        "minilstm.course.material",
    ],
    package_dir={"minilstm.course.material": "lessons"},
)
