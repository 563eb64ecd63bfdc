# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""Native-rate streaming against matched baselines: events, arms, artifact, verdict."""
