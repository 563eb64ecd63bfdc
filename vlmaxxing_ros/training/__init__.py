# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""How the built-in nano model was trained.  Needs torch; nothing else imports this."""
