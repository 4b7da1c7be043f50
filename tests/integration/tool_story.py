#!/usr/bin/env python3
"""The enrollment from the first login to a renewed certificate, each verb as a person uses it."""
from tool_world import *


def story(world):
    world.login()
    print(world.tool("registration"))
    print(world.apply())
    print(world.activate())
    print(world.tool("status"))


run([story])
