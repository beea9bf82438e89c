"""OpenGL without a screen: the context, the programs, the frame and its way into memory."""
