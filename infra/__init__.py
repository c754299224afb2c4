"""The CDK app's stacks, and the local cloud that serves what they synthesize."""

from infra.node import use_packaged_node

use_packaged_node()
