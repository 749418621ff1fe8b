"""The training corpus: synthetic and real speech with phone times, targets and augmentation."""
