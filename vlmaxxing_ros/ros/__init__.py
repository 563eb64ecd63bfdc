# Copyright 2026 The vlmaxxing_ros authors
# SPDX-License-Identifier: Apache-2.0

"""The ROS 2 side: messages in, messages out.  The only place that imports rclpy."""
