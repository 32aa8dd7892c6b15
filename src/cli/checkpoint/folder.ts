/** Help of `--checkpoint-dir`. */
export const checkpointFolder = "Folder that holds the checkpoints, instead of the daemon's own";
