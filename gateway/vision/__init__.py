"""The falling-object watcher: frames in, falls out. Heavy libraries load only in the camera's own process."""
