"""The rules of rolls: closing, checks, waivers, certification, comparison."""
