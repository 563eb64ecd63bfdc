# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The files that recordings consist of: one module for each format, all read in the same way.

What is damaged or cut off is left out and remarked upon; the rest is read.  Message definitions
are not: what is wrong with those of one topic does not matter to the others.
"""
