"""The command line, and the Python client, of the AloVoice cloud PBX."""

__version__ = "0.1.0"
