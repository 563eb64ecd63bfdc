# ROS 2 Jazzy on the CPU.  Written from the packages' metadata; not built by us (no Docker here).
#   docker build -t vlmaxxing_ros . && docker run --rm --net host --ipc host vlmaxxing_ros
FROM ros:jazzy-ros-base

# Not pinned: a version leaves Ubuntu's archive with its next update.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends \
      libopenblas0-pthread python3-pip python3-venv \
    && ln -s "/usr/lib/$(uname -m)-linux-gnu/openblas-pthread/libopenblas.so.0" /usr/local/lib/ \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /ws/src/vlmaxxing_ros
COPY requirements/engine.in requirements/engine.in
# Beside the system's packages, so that rclpy stays the one of apt.
RUN python3 -m venv --system-site-packages /opt/vlmaxxing \
    && /opt/vlmaxxing/bin/pip install --no-cache-dir --requirement requirements/engine.in

COPY . .
RUN apt-get update && . /opt/ros/jazzy/setup.sh && rosdep update --rosdistro jazzy \
    && rosdep install --yes --from-paths . vlmaxxing_msgs --ignore-src \
    && rm -rf /var/lib/apt/lists/* \
    && . /opt/vlmaxxing/bin/activate && COLCON_DEFAULTS_FILE=colcon_defaults.yaml \
       python3 -m colcon build --install-base /ws/install --build-base /tmp/build

# MLX's Linux wheel brings a slow BLAS; Debian's and Ubuntu's OpenBLAS is far faster in float32.
ENV LD_PRELOAD=/usr/local/lib/libopenblas.so.0
ENTRYPOINT ["/bin/bash", "-c", ". /opt/vlmaxxing/bin/activate && . /opt/ros/jazzy/setup.bash && . /ws/install/setup.bash && exec \"$@\"", "--"]
CMD ["ros2", "launch", "vlmaxxing_ros", "vlmaxxing.launch.py"]
