// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

// Not used by name: so that forge compiles it, by itself and once, before the script reads what came out.
// forge-lint: disable-next-line(unused-import)
import {CredentialRegistry} from "../src/CredentialRegistry.sol";

/// @notice The cheat codes of forge that this script uses.
interface Vm {
    function getCode(string calldata artifact) external view returns (bytes memory creation);
    function getDeployedCode(string calldata artifact) external view returns (bytes memory runtime);
    function startBroadcast() external;
    function stopBroadcast() external;
}

/// @title Brings the registry to its address
/// @notice Does what `ledger deploy` does, for those who deploy with forge: same deployer, same salt, so the
/// same address. Run again, it sends nothing.
/// @dev The deployer takes the salt and the creation code as calldata and answers with 20 bytes.
contract Deploy {
    /// @notice The chain has no deterministic deployer: docs/guide/deploy.md says how to bring it there.
    error NoDeployer(address deployer);

    /// @notice Other code than the registry's stands at its address.
    error OtherCode(address registry, bytes32 codeHash);

    /// @notice The deployer ran and left no registry.
    error NotDeployed(address registry);

    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    string private constant ARTIFACT = "CredentialRegistry.sol:CredentialRegistry";

    address private constant DEPLOYER = 0x4e59b44847b379578588920cA78FbF26c0B4956C;

    /// @notice Deploys the registry unless it is there.
    /// @return registry where it is
    /// @return codeHash what trust policies pin
    /// @return deployed whether it was deployed now; false: it was there already, and nothing was sent
    function run() external returns (address registry, bytes32 codeHash, bool deployed) {
        bytes32 salt = sha256("ledger CredentialRegistry 1");
        bytes memory creation = VM.getCode(ARTIFACT);
        registry = _addressOf(salt, keccak256(creation));
        codeHash = keccak256(VM.getDeployedCode(ARTIFACT));
        if (registry.code.length == 0) {
            _deploy(bytes.concat(salt, creation));
            if (registry.code.length == 0) revert NotDeployed(registry);
            deployed = true;
        }
        if (registry.codehash != codeHash) revert OtherCode(registry, registry.codehash);
    }

    function _deploy(bytes memory data) private {
        if (DEPLOYER.code.length == 0) revert NoDeployer(DEPLOYER);
        VM.startBroadcast();
        (bool done,) = DEPLOYER.call(data);
        VM.stopBroadcast();
        if (!done) revert NotDeployed(address(0));
    }

    /// @dev EIP-1014.
    function _addressOf(bytes32 salt, bytes32 creationHash) private pure returns (address) {
        bytes memory parts = abi.encodePacked(hex"ff", DEPLOYER, salt, creationHash);
        return address(uint160(uint256(keccak256(parts))));
    }
}
