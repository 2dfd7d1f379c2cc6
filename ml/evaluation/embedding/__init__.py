"""Where videos lie: measures, neighbours, maps, and the classes that lie too near."""
