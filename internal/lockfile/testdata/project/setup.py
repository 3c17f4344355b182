from setuptools import setup

setup(install_requires=open("x").read())
