"""Optical flow: one file a method, two frames → (2, H, W) in pixels per frame, x then y."""
