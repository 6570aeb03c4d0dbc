# tests/scenes
