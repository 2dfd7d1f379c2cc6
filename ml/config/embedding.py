"""What is measured of embeddings: the definitions that stand beside the numbers."""

EMBEDDING_DEFINITIONS = {
    "recall_at_1": "share of videos whose nearest other video is of their class",
    "recall_at_5": "share of videos that have one of their class among the 5 nearest others",
    "map_at_r": "for a video with R others of its class: the precisions at every right one of its R nearest, summed and divided by R; "
    "mean over videos (Musgrave et al. 2020)",
    "nmi": "mutual information of the classes and of as many k-means clusters (one seeded start), divided by the mean of their entropies",
    "ratio": "distance of the means of two classes, divided by the mean distance of their videos to the mean of their own class",
}
SPACES = {
    "metric": "embedding of the metric branch",
    "features": "features before the last layer",
}
