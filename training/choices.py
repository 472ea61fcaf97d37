"""Names what a recipe may choose among: the command line shows these without loading what a recipe is."""

DISTANCES = ("cosine", "euclidean")
LOSSES = ("mean_squared_error", "mean_absolute_error", "binary_crossentropy")
SCHEDULES = ("cosine", "constant", "exponential", "step")
CORRUPTIONS = ("none", "mild", "noise", "masks", "blur", "mixed")

Scalar = int | float | str | bool
